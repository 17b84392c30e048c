-- Why a job has no result, as a word that programs read; `error` says it to people.

alter table job add column why text not null default '';
