-- A category is asked for by its name: without this the planner begins at the millions of readings, not at the few names.
CREATE INDEX taxonomy_name ON taxonomy (name);
