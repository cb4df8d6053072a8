-- An event trigger, which only a superuser can create.

CREATE FUNCTION note_command() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE EVENT TRIGGER note_commands ON ddl_command_end EXECUTE PROCEDURE note_command();
