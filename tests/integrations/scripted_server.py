"""A chat endpoint on this machine that answers by a script."""

import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serve_script(answers):
    """Serve chat completions, streamed where that is asked for.

    Args:
        answers: Takes the text of the user's turn and how often it was asked before; gives the
            answer and its length in tokens.

    Yields:
        The address, up to and with "/v1".
    """
    asked, lock = Counter(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            text = body["messages"][-1]["content"]
            with lock:
                before = asked[text]
                asked[text] += 1
            answer, tokens = answers(text, before)
            usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 5 + tokens}
            said = {"index": 0, "delta": {"role": "assistant", "content": answer}}
            ended = {"index": 0, "delta": {}, "finish_reason": "stop"}
            known = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            if not body.get("stream"):
                message = {"role": "assistant", "content": answer}
                whole = {"index": 0, "message": message, "finish_reason": "stop"}
                entry = known | {"object": "chat.completion", "choices": [whole], "usage": usage}
                self.send_whole(json.dumps(entry).encode(), "application/json")
                return
            chunks = [{"choices": [said]}, {"choices": [ended]}, {"choices": [], "usage": usage}]
            events = [f"data: {json.dumps(known | chunk)}\n\n" for chunk in chunks]
            sent = "".join([*events, "data: [DONE]\n\n"]).encode()
            self.send_whole(sent, "text/event-stream")

        def send_whole(self, sent, kind):
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
