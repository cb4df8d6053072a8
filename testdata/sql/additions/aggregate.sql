-- An aggregate.

CREATE AGGREGATE longest (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
