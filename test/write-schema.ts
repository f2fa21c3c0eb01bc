import { writeFile } from 'node:fs/promises';
import { SCHEMA_FILE, schemaText } from './schema-text.ts';

// npm run schema: after a change of lib/pipeline/schema.ts, or of a task's options.
await writeFile(SCHEMA_FILE, await schemaText());
