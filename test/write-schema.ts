import { writeFile } from 'node:fs/promises';
import { SCHEMA_FILE, TABLES_FILE, schemaText, tablesText } from './schema-text.ts';

// npm run schema: after a change of lib/pipeline/schema.ts, of a task's options, or of the migrations.
await writeFile(SCHEMA_FILE, await schemaText());
await writeFile(TABLES_FILE, await tablesText());
