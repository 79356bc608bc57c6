//! A page of Markdown, as far as its blocks of code go.

/// Languages that are run.
const RUN: [&str; 4] = ["sh", "python", "js", "rust"];
/// What is shown and cannot be run.
const NO_CODE: [&str; 5] = ["", "text", "json", "toml", "ini"];

/// The blocks of code of a page, in order.
pub struct Page {
    pub blocks: Vec<Block>,
}

/// A block: ```` ```python [produce.py] ````.
pub struct Block {
    pub language: String,
    /// The file that it is.
    pub file: Option<String>,
    /// Whether the page says that it is not run.
    pub is_marked: bool,
    pub text: String,
}

impl Page {
    pub fn read(markdown: &str) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        let mut is_open = false;
        for line in markdown.lines() {
            match line.strip_prefix("```") {
                Some(info) if !is_open => {
                    blocks.push(Block::opened(info));
                    is_open = true;
                }
                Some(_) => is_open = false,
                None if is_open => {
                    let text = &mut blocks.last_mut().unwrap().text;
                    text.push_str(line);
                    text.push('\n');
                }
                None => {}
            }
        }
        assert!(!is_open, "a block has no end");
        Self { blocks }
    }
}

impl Block {
    fn opened(info: &str) -> Self {
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or_default().to_owned();
        let mut block = Self { language, file: None, is_marked: false, text: String::new() };
        for word in words {
            match word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
                Some(file) => block.file = Some(file.to_owned()),
                None => block.is_marked |= word == "not-run",
            }
        }
        block
    }

    pub fn is_code(&self) -> bool {
        !NO_CODE.contains(&self.language.as_str())
    }

    /// Commands are run, and files are what they run.
    pub fn is_run(&self) -> bool {
        let is_whole = self.language == "sh" || self.file.is_some();
        RUN.contains(&self.language.as_str()) && is_whole && !self.is_marked
    }
}
