-- compatible-from: 5
-- Which devices have this EK, in the order of their IDs. Without the ID in it SQLite takes the index of all IDs, to be spared the
-- sorting, and looks through every device of the scope at each registration.
DROP INDEX devices_of_ek;
CREATE INDEX devices_of_ek ON devices (scope_id, ek_name, registration_id);
