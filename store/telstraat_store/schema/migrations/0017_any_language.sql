-- A language is there because its catalogue is: letters may be written in each, so the table names none.

alter table measure_follower drop constraint measure_follower_language_check;
alter table measure_follower add constraint measure_follower_language_check check (language ~ '^[a-z]{2,3}$');
