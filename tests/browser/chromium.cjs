// A headless browser of the Chromium family that is on the machine.

const { accessSync, constants } = require("node:fs");
const { delimiter, join } = require("node:path");

// The shell without a window does the same with a quarter less work.
const NAMES = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const ON_MACOS = ["/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function program() {
  const folders = process.env.PATH.split(delimiter);
  const places = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...ON_MACOS];
  const found = process.env.CHROMIUM || places.find(isProgram);
  if (!found) throw new Error("this test needs Chromium or Chrome; name the program in CHROMIUM");
  return found;
}

exports.program = program;

// As root, and in containers, it has no sandbox and little shared memory.
exports.launch = () => require("playwright-core").chromium.launch({ executablePath: program(), args: ["--no-sandbox", "--disable-dev-shm-usage"] });
