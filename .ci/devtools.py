"""A headless Chromium, spoken to through two pipes in the words of its DevTools protocol: no driver, no package."""

import base64
import json
import os
import subprocess
import time


class Browser:
    """One browser with one tab, in a folder of its own."""

    def __init__(self, folder, width=1400, height=900):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        flags = ["--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars",
                 "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={folder}", f"--window-size={width},{height}"]
        # The protocol's pipes are the numbers 3 and 4.
        start = ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "-", "chromium", *flags, "about:blank"]
        self.process = subprocess.Popen(start, pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.reading, self.writing = os.fdopen(ours_in, "rb"), os.fdopen(ours_out, "wb")
        self.number, self.session, self.said = 0, None, []
        [target] = [it for it in self.ask("Target.getTargets")["targetInfos"] if it["type"] == "page"]
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def receive(self):
        letters = bytearray()
        while (letter := self.reading.read(1)) != b"\0":
            if not letter:
                raise RuntimeError("the browser is gone")
            letters += letter
        return json.loads(letters)

    def ask(self, method, **parameters):
        """Sends a command and waits for its answer; what is said meanwhile is kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.writing.write(json.dumps(message).encode() + b"\0")
        self.writing.flush()
        while True:
            said = self.receive()
            if said.get("id") == self.number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return said["result"]
            self.said.append(said)

    def evaluate(self, expression):
        """What an expression of JavaScript comes to on the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def open(self, path, hash="", dark=False):
        """Opens a page anew, and says how many seconds it took until everything was drawn."""
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Page.navigate", url="about:blank")
        self.said.clear()
        start = time.monotonic()
        self.ask("Page.navigate", url=f"file://{os.path.abspath(path)}{hash}")
        self.until("document.body?.dataset.ready === 'yes'")
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return time.monotonic() - start

    def until(self, expression, seconds=30):
        """Waits until this is so."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise RuntimeError(f"after {seconds} s it is not so that {expression}; the page said {self.complaints()}")
            time.sleep(0.02)

    def press(self, *keys):
        """Presses keys, one after the other."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {}
            self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def complaints(self):
        """What the page said that nobody wants to hear: errors, and whatever it asked of a network."""
        wanted = []
        for said in self.said:
            parameters = said.get("params", {})
            if said.get("method") == "Runtime.exceptionThrown":
                wanted.append(parameters["exceptionDetails"].get("exception", {}).get("description", "an exception"))
            elif said.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                wanted.append(parameters["entry"]["text"])
            elif said.get("method") == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "about:", "blob:", "data:")):
                    wanted.append(f"asked for {url}")
        return wanted

    def picture(self, path):
        """Writes what is seen as a PNG."""
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        """Ends this browser, and no other."""
        try:
            self.session = None
            self.ask("Browser.close")
        except (RuntimeError, OSError):
            self.process.kill()
        self.process.wait(timeout=20)
