// Loaded into the command (node --import): writes every SQL statement that it ran into the file STATEMENTS, as JSON.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The driver's native half, of which there is one in a process: the JavaScript around it is loaded, by jiti, only later.
const { Statement } = createRequire(import.meta.url)('sqlite3/lib/sqlite3-binding.js');

const file = process.env.STATEMENTS;
const known = new Set();
try {
  for (const sql of JSON.parse(readFileSync(file, 'utf8'))) known.add(sql);
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}

for (const name of ['run', 'get', 'all', 'each']) {
  const original = Statement.prototype[name];
  Statement.prototype[name] = function (...given) {
    known.add(this.sql);
    return original.apply(this, given);
  };
}
process.on('exit', () => writeFileSync(file, JSON.stringify([...known])));
