-- Who agreed that a file is a bank's statement.
--
-- What a bank that we call states comes from the bank itself. A file that a person hands in for
-- such a bank could name any deposit and any withdrawal, so it takes a second person, whose name
-- stays with the file. Nothing for what an adapter answered, for banks that are not called, and for
-- the command line: there the operator of the machine answers, as for all that a machine holds.
alter table statement_files add column approved_by text collate "C";

alter table statement_files add constraint statement_files_two_people
    check (approved_by <> imported_by);
