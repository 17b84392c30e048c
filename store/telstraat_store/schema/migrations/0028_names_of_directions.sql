-- What an owner calls the two directions may stand on the page of the street, when they say so.
alter table installation add column names_published boolean not null default false;
