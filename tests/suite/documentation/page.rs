//! A page of Markdown, as far as its blocks of code go.

/// Languages that are run. Java is where there is a JDK.
const RUN: [&str; 5] = ["sh", "python", "js", "rust", "java"];
/// What is shown and cannot be run.
const NO_CODE: [&str; 6] = ["", "text", "json", "toml", "yaml", "ini"];
const FENCE: &str = "```";

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
            // Blocks within lists are indented.
            match line.trim_start().strip_prefix(FENCE) {
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

    /// The blocks that are run.
    pub fn run(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.is_run())
    }

    /// The commands alone: what is run, without comments.
    pub fn commands(&self) -> Vec<String> {
        let lines = self.run().flat_map(|block| block.text.lines());
        let lines = lines.map(|line| line.split(" # ").next().unwrap().trim_end().to_owned());
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
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

    /// Whether it is Java, or the command that runs it.
    pub fn is_for_java(&self) -> bool {
        self.language == "java" || self.text.starts_with("java ")
    }
}
