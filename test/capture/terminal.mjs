// Loaded into the command before it starts: what it writes to goes into a pipe, and is a terminal of this size all the same.
const [columns, rows] = (process.env.CAPTURE_SIZE ?? '80x30').split('x').map(Number);
Object.assign(process.stdout, { isTTY: true, columns, rows });
