-- When a running job was heard of last: its worker says so every two seconds, also while it stops or has just lost the database.
alter table job add column heard_at timestamptz;
