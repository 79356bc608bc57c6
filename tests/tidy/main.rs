//! What the style asks for and the linter cannot see: sizes, names, who may import whom, and that documents speak of
//! what is there.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod boundaries;
#[cfg(test)]
mod circles;
#[cfg(test)]
mod files;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod links;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod statements;
