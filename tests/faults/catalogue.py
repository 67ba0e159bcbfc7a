"""The 128 faults and bad inputs that the product must meet well, each with what happens.

A test is marked with the number of the case that it proves: ``@pytest.mark.case(17)``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One fault: what goes wrong, and what happens then."""

    number: int
    kind: str
    what: str
    then: str


_LISTED = {
    "Kill and crash": """\
a restore is killed at any piece of its work | what is served is untouched; the next run drops the half-made database
a kill between verification and the switch | the former database is still served; the next run builds or switches
a kill inside a transactional migration | neither applied nor recorded; the next run applies it
a kill inside CREATE INDEX CONCURRENTLY | the next run finds the invalid index, drops it and builds it
a kill after the index was built, before the journal says so | the catalogue tells: recorded as done, not built again
a kill inside a Python step with an effect outside the database | it runs again, with the same `step.key`
a kill between a seed's COMMIT and the end of the process | the seed is not applied twice: its history is in the same transaction
a kill in the middle of a COPY | no row of the batch is there; the next run loads all
a kill while an extract is written | the former extract is whole; the next run removes the part file
a kill before or while a manifest is written | the extract counts as none, and the command that makes it is told
a kill while the lock is held | the next run has it as soon as the server has noticed; meanwhile it is told whose it is
a statement of a killed run still executes | it is waited for, then ended; nobody else's session is
a kill of the command alone, with its pg_restore alive | pg_restore and pg_dump die with it
the postmaster is killed in the middle of a seed | exit code 9; the state before; the same command ends well
SIGINT, SIGTERM or SIGHUP | the statement is cancelled and rolled back, the lock is free; exit code 130 and one line
a second kill while the first is recovered from | the next run still ends well
a program that works for us is killed, as for want of memory | exit code 9 with its name; nothing is published
power fails | a file has its name only once it is flushed: the old one or the new one
a kill while a backup is made | it is not listed; the destructive step has not begun
a kill while a template is built | it is never copied from, and made anew
a kill of a pytest worker | its database is swept by the next run; those in use stay
a kill of `seed-watch` | the registry is whole, old or new""",
    "Connection and server": """\
the line is cut after the Nth message, for every N | the step and its row are both there, or neither; the next run ends well
the server restarts in the middle of a run | exit code 9; nothing is half recorded
a standby is given as the target | exit code 3 before anything is tried
the server has no session left | asked a few times more; then exit code 9 with how often
a step waits behind an application's lock | three short tries, then exit code 4 with process, user and table in the way
a statement runs into statement_timeout | the step is rolled back; statement and way out are told
a deadlock with an application | the step gives way and is tried again
a pooler in transaction mode | exit code 3 before any change: use the direct endpoint
a wrong password, or encryption that the server refuses | exit code 9 and a short message without the login
a session that is ended while a long index is built | exit code 9; the next run builds it
a clock that jumps | the history goes by its own numbers; no lock expires by time
a read-only database; a flood of notices | exit code 3; unaffected
a dump whose transaction takes more locks than there is room for | exit code 7 with the setting to raise
a server older or newer than those tried | exit code 3, unless DBCYCLE_UNTESTED_SERVER=1""",
    "Disk and files": """\
the disk is full at any write | exit code 9; the former files are whole
the server's disk is full | exit code 9; the step is rolled back, and the same command ends well later
a flush fails | exit code 9; it is not tried again, and the new file goes
a folder that cannot be written | it is named; nothing changed
a link lies where a file should be | it is replaced, never followed
two publishers at once | one publishes the whole; the other ends with exit code 4
a hundred files that killed runs left | they go with the next run, and nothing else does
two backups in one second | two backups
tables whose names a file system takes for one | each has a file of its own
a SQLite database larger than the free space | exit code 9 with both sizes before anything begins""",
    "Dump input": """\
a dump of 0 bytes, or of less than a tenth of the last | exit code 7 with both sizes; `refresh --all` says that it is meant
a custom dump that was cut anywhere | exit code 7; no table is left
a plain dump that was cut between statements or inside COPY | exit code 7: its end is missing
flipped bits in the contents or the data | exit code 7; nothing is switched
a `.sha256` beside the dump that is another's | exit code 7
a packed dump that unpacks without end | exit code 7 at 200 times its size; no temporary file stays
a tar with a member that is absolute, leads upwards, or is a link or device | exit code 7 with the member's name
a dump's folder with a file too few, too many, or a link | exit code 7 with the file's name
psql commands in a dump | exit code 7 with the line; nothing runs
programs, server files, untrusted languages, event triggers in a dump | exit code 7; and a superuser's function has no rights here
names with line breaks, quotes and semicolons | quoted everywhere, escaped in every message
the dump of another database | exit code 7 with every table that is missing; nothing is published
a dump of a newer pg_dump or server | exit code 7 with the version it needs; settings that are unknown are left out
a role, tablespace, extension or collation that is missing | roles and tablespaces are not needed; for the others exit code 7 with what to do
bytes of another encoding | exit code 7 with table and row
a dump taken in the middle of a migration | exit code 6 with the repair
production's own stamp inside the dump | the restored database says what it is here
foreign servers, user mappings, publications, subscriptions | left out, and listed
a generated column that needs a search path | exit code 7 with function and table; an empty table is never accepted
rows that do not arrive, for whatever cause | exit code 7 with both counts for each table
pg_restore is missing, too old, or only warns | named with what to install; its exit code decides""",
    "Migrations": """\
a mistake in the third statement | exit code 7 with file, line and column; the first two are rolled back
what cannot be in a transaction, in one | exit code 7 before anything runs
both kinds of statement in one step | a statement at a time if the step says so, and a rehearsal shows it
an enum value added and used in one transaction | exit code 7 with the reason
a file edited after it was applied | exit code 5; line ends and a byte order mark are no edit
a file deleted, renamed, or a number twice | errors of their own, each with its repair
an older number that appears later | exit code 5: give it a later number
the database is ahead of the files | exit code 5: the database is newer
UTF-16, NUL bytes, empty and very large files | named; recorded; streamed
nested dollar quotes, COPY data, semicolons in comments | run as psql would
a step that commits, rolls back or changes its session | it stays one transaction, and its settings end with it
a Python step that raises, exits or prints a password | exit code 7 with the line; what it prints is redacted
a rollback of 0, -1, abc, or more than are applied | exit code 2; nothing is cut down
a rollback without a way down, or that loses rows | refused; a backup comes first, and its command is told
a rehearsal | writes nothing, and makes no history
a history that is absent, somebody else's, or with more columns | made; exit code 7 with the difference; taken as ours
a table of SQLite that is rebuilt over ON DELETE CASCADE | its children stay
a guard without its effect, or an effect without its guard | both are told, neither is guessed
a gap in the numbers | no fault
a step whose file changes while it runs | recorded as it ran; the edit is seen afterwards""",
    "Concurrency": """\
many runners on an empty database | one applies, the others say that it is at head
many runners with CREATE INDEX CONCURRENTLY | no deadlock, and the index is valid
migrate, seed, reset and restore together | one order for all; each is whole or says why not
two hosts, one database | one lock, and its holder's host is told
a holder that stays | exit code 4 after the wait, with process, host, user and since when; nobody is ended
a reset while copies of tests are in use | they survive, rows and all
an application's queries behind a migration | blocked no longer than the step's own patience
a Dagster run, a command and another one | one goes on, the others end with exit code 4""",
    "Extract, merge, seed": """\
a new table or column | exit code 8 with a rule proposed for each
row level security or a missing privilege | exit code 7; never fewer rows
rows that change meanwhile | one snapshot; the counts tie out
infinity, BC, 24:00, NaN, empty and null arrays and the like | come back as they were, to the letter
json with \\u0000, very long texts, 1,600 columns | come back as they were
a person in documents, arrays, prose, defaults, labels or comments | found, and the run fails; comments stay behind
a rule that would break UNIQUE, CHECK or a length | exit code 8 before a row moves
cycles of foreign keys, deep trees, MATCH FULL | loaded, and proven closed
a golden record that meets a row by any key | it wins; references follow
a golden record that cannot be | exit code 7 with file, number and field
a golden file with code, deep nesting or of great size | exit code 7; nothing runs
a seed that fails late | no row stays; file, line and constraint are told, and no value
a seed edited without a new version | exit code 5; a new version makes the former row inactive
a seed deleted, renamed or moved | an orphan of its own environment; the new name is suggested
a dependency that is missing, circular or of a later environment | exit code 7 with the path; nothing runs
an environment that is none | exit code 2; never development
sequences and identities of every kind | the next insert finds a free number
triggers that insert, raise or swallow | do not run while rows are loaded; a row that is lost stops the run
a seed that commits or changes its session | it stays one transaction, and its settings end with it
a save in pieces, or of two hundred files, while watching | the last state counts, once
parallel seeds of which one fails | the others are whole, what follows does not run, the status is exact
a rollback of a seed whose rows were edited or are referred to | refused; nothing changed
tables that a seed does not name | keep their rows; nothing cascades""",
    "Guards and secrets": """\
any destructive command on production, with any agreement but its name | exit code 3; nothing changed
production by another address, a service, several hosts or a tunnel | exit code 3: the server says what it is
a stamp that is missing, double or unreadable | exit code 3 with how to stamp
a password of any characters | works, and is in no argument, log, event, file or message
a path that leads out of the project; tags and bombs in the config | exit code 7 with the line
table and column names of any kind | only names; one that the database lacks is refused
raw rows | private to their owner, ignored by git, and refused by what loads""",
    "Test databases": """\
a session on a template | sent away when it is sealed; nobody comes back
templates that change, are wanted at once, or pile up | one for each content; the oldest go, those in use never
a test that commits, drops, sets and leaves sessions | the next test finds nothing of it""",
}

_FLAT = [
    (kind, *(part.strip() for part in line.split(" | ")))
    for kind, lines in _LISTED.items()
    for line in lines.splitlines()
]
CASES = {number: Case(number, *row) for number, row in enumerate(_FLAT, 1)}
