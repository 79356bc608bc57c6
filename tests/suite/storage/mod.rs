//! What the database does: the plans of its statements, partitions, and the end of what is over.

mod maintenance;
mod migrations;
mod names;
mod plans;
mod upkeep;
