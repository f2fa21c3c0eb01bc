-- The computers that helped with cutouts and vectors in a run.
CREATE TABLE workers (
  run_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  device TEXT NOT NULL,         -- what runs its models: cpu, cuda, dml, coreml, webgpu; '': not known
  state TEXT NOT NULL,          -- working, silent, refused, left
  pictures INTEGER NOT NULL,    -- done in this run
  per_second REAL NOT NULL,     -- of late
  heard_at INTEGER NOT NULL,    -- epoch s
  reason TEXT,                  -- why it is refused or has left
  PRIMARY KEY (run_id, name)
) WITHOUT ROWID;
