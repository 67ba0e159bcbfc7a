-- What is rare in schemas, and hard for generators of models.
CREATE TABLE people (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  boss INTEGER REFERENCES people (id) ON DELETE SET NULL,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  full_name TEXT GENERATED ALWAYS AS (email || role) STORED
);
CREATE TABLE teams (id INTEGER PRIMARY KEY, name VARCHAR(40), parent_id INTEGER REFERENCES teams (id));
CREATE TABLE people_teams (
  person_id INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
  team_id INTEGER NOT NULL REFERENCES teams (id),
  PRIMARY KEY (person_id, team_id)
) WITHOUT ROWID;
CREATE TABLE log (at TEXT, "class" TEXT, "metadata" BLOB, person_id INTEGER REFERENCES people (id));
CREATE TABLE "Order Lines" (
  "order" INTEGER, line INTEGER, price NUMERIC(10, 2), factor REAL, raw BLOB, day DATE, anything,
  PRIMARY KEY ("order", line)
);
CREATE TABLE strict_one (id INTEGER PRIMARY KEY, word TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX people_lower_email ON people (lower(email)) WHERE active = 1;
CREATE INDEX people_by_boss ON people (boss);
