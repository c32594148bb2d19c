//! A headless Chromium that tests talk to: pages are opened, clicked and typed
//! at as people do.
//!
//! Commands go through two named pipes as JSON, a message each, ended by a
//! zero byte (`--remote-debugging-pipe`), so that no port and no crate is
//! needed.

use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A browser with one page.
pub(super) struct Browser {
    child: Child,
    to: File,
    from: BufReader<File>,
    session: Value,
    next: u64,
    /// What the page complained about.
    pub(super) complaints: Vec<String>,
    _folder: TempDir,
}

/// The browser of this machine, if it has one. `CHROMIUM` names another.
pub(super) fn found() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|path| path.exists());
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let all = std::env::split_paths(&path).flat_map(|dir| names.map(|name| dir.join(name)));
    all.into_iter().find(|path| path.is_file())
}

impl Browser {
    /// Starts the browser; `None` if there is none, which is said.
    pub(super) fn start() -> Option<Browser> {
        let Some(program) = found() else {
            eprintln!("there is no Chromium here, so the page is not looked at");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let (input, output) = (folder.path().join("in"), folder.path().join("out"));
        for pipe in [&input, &output] {
            assert!(Command::new("mkfifo").arg(pipe).status().expect("mkfifo").success());
        }
        let script = "exec \"$0\" --headless --window-size=1440,1100 --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
                      --disable-background-networking --disable-component-update --disable-sync --mute-audio \
                      --user-data-dir=\"$1\" --remote-debugging-pipe 3<\"$2\" 4>\"$3\"";
        let child = Command::new("sh")
            .args(["-c", script])
            .args([program.as_path(), &folder.path().join("profile"), &input, &output])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a browser");
        let to = OpenOptions::new().write(true).open(&input).expect("a pipe");
        let from = BufReader::new(File::open(&output).expect("a pipe"));
        let mut browser =
            Browser { child, to, from, session: Value::Null, next: 0, complaints: Vec::new(), _folder: folder };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        browser.session = browser.call("Target.attachToTarget", attach)["sessionId"].clone();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, json!({}));
        }
        Some(browser)
    }

    /// Sends a command and waits for its answer.
    #[allow(clippy::needless_pass_by_value, reason = "json! makes values")]
    pub(super) fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut message = json!({"id": self.next, "method": method, "params": params});
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        self.to.write_all(message.to_string().as_bytes()).expect("the browser listens");
        self.to.write_all(&[0]).expect("the browser listens");
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).expect("the browser answers");
            assert!(!bytes.is_empty(), "the browser has ended");
            bytes.pop();
            let answer: Value = serde_json::from_slice(&bytes).expect("JSON");
            self.listen(&answer);
            if answer["id"] == self.next {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    /// Keeps what a page complains about.
    fn listen(&mut self, event: &Value) {
        let params = &event["params"];
        let bad = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => params["type"] == "error" || params["type"] == "warning",
            Some("Log.entryAdded") => params["entry"]["level"] == "error" || params["entry"]["level"] == "warning",
            _ => false,
        };
        if bad {
            self.complaints.push(params.to_string());
        }
    }

    /// Opens a report and waits until it is drawn.
    pub(super) fn open(&mut self, page: &Path, theme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": theme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
        let page = page.canonicalize().expect("a page");
        // The page before may be the same one.
        self.run("document.documentElement && delete document.documentElement.dataset.ready");
        self.call("Page.navigate", json!({"url": format!("file://{}", page.display())}));
        self.wait("document.documentElement?.dataset.ready === 'yes'");
        self.settle();
    }

    /// Waits until everything that was asked for is drawn.
    pub(super) fn settle(&mut self) {
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// Waits until something is true.
    pub(super) fn wait(&mut self, condition: &str) {
        for _ in 0..2_000 {
            if self.run(condition) == true {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("never true: {condition}; {:?}", self.complaints);
    }

    /// The value of an expression in the page.
    pub(super) fn run(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// The text of the first element that a selector finds.
    pub(super) fn text(&mut self, selector: &str) -> String {
        let text = self.run(&format!("document.querySelector({}).innerText", json!(selector)));
        text.as_str().unwrap_or_default().to_string()
    }

    /// Moves the mouse to a place in an element, given as shares of its width
    /// and height, and clicks there.
    pub(super) fn click_at(&mut self, selector: &str, across: f64, down: f64) {
        let (x, y) = self.place(selector, across, down);
        self.mouse("mouseMoved", x, y);
        self.mouse("mousePressed", x, y);
        self.mouse("mouseReleased", x, y);
        self.settle();
    }

    /// Clicks into the middle of an element.
    pub(super) fn click(&mut self, selector: &str) {
        self.click_at(selector, 0.5, 0.5);
    }

    /// Moves the mouse over a place in an element.
    pub(super) fn hover(&mut self, selector: &str, across: f64, down: f64) {
        let (x, y) = self.place(selector, across, down);
        self.mouse("mouseMoved", x, y);
        self.settle();
    }

    /// A place in an element after scrolling there, in pixels of the window.
    fn place(&mut self, selector: &str, across: f64, down: f64) -> (f64, f64) {
        let script = format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center'}}); \
             const r = e.getBoundingClientRect(); return [r.left + r.width * {across}, r.top + r.height * {down}]; }})()",
            json!(selector)
        );
        let at = self.run(&script);
        (at[0].as_f64().expect("a place"), at[1].as_f64().expect("a place"))
    }

    fn mouse(&mut self, kind: &str, x: f64, y: f64) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let params = json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": 1});
        self.call("Input.dispatchMouseEvent", params);
    }

    /// Presses a key, such as `ArrowRight` or `Enter`.
    pub(super) fn press(&mut self, key: &str) {
        let code = match key {
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            "Enter" => 13,
            "Tab" => 9,
            " " => 32,
            _ => 0,
        };
        for kind in ["rawKeyDown", "char", "keyUp"] {
            let mut params = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
            match (kind, key) {
                ("char", "Enter") => params["text"] = json!("\r"),
                ("char", key) if key.chars().count() == 1 => params["text"] = json!(key),
                ("char", _) => continue,
                _ => {}
            }
            self.call("Input.dispatchKeyEvent", params);
        }
        self.settle();
    }

    /// Puts a text into a field, as if it had been typed.
    pub(super) fn fill(&mut self, selector: &str, text: &str) {
        let script = format!(
            "(() => {{ const e = document.querySelector({}); e.focus(); e.value = {}; \
             e.dispatchEvent(new Event('input', {{bubbles: true}})); }})()",
            json!(selector),
            json!(text)
        );
        self.run(&script);
        self.settle();
    }

    /// The picture of the window as a PNG in base64, and of the page as a PDF.
    pub(super) fn pictures(&mut self) -> (String, String) {
        let png = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let pdf = self.call("Page.printToPDF", json!({"printBackground": true}));
        let text = |value: &Value| value["data"].as_str().unwrap_or_default().to_string();
        (text(&png), text(&pdf))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
