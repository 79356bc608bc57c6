//! The pace of receivers: who says that it is asked too often is heard, and limits hold for all nodes together.

mod backlog;
mod closing;
mod learning;
mod limits;
mod receiver;
mod stuck;
