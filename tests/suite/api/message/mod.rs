//! Messages: posted together, with a text of their own, found again, and their content taken away.

mod batch;
mod expunge;
mod own_text;
mod read;
