//! What holds for the description of the API as a whole: who may call what, that nothing breaks clients, that
//! every answer is as described.

mod changelog;
mod clients;
mod compatibility;
mod errors;
mod fuzz;
mod internal_names;
mod known_names;
mod token_matrix;
