-- Up Migration
create table note (id int primary key, text text not null);
grant select, insert on note to switchboard_app;

-- Down Migration
drop table note;
