"""mitmproxy, embedded: translation only.

`gateway.Gateway(mediator, authority, settings)` listens; `link.Link` is one agent's connection;
`exchange.Exchange` one request and its answer (the seam: stream, asking, exchange); `layers` and
`http1` what mitmproxy's protocol layers lack; they know one another by `underway`. Who decides is
a `mediator.Mediator`. Only this room imports mitmproxy, and of it only the protocol layers: no
Master, no addons, no process-wide context.
"""
