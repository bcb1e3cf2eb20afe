// Package gateway serves the configs of followers over HTTP, so that official ConfigCat SDKs in
// any language receive what a leader published: they use the gateway as their base URL.
//
//	client, err := follower.New(follower.Config{SDKKey: key, Redis: rdb})
//	…
//	g, err := gateway.New(gateway.Config{
//		SDKs: []gateway.SDK{{Name: "shop", Key: key, Client: client}},
//		Hold: 5 * time.Second,
//	})
//	…
//	server := &http.Server{Addr: "127.0.0.1:8093", Handler: g}
//
// The gateway answers GET, HEAD and OPTIONS of
//
//	/configuration-files/{key}/config_v6.json
//
// as ConfigCat's CDN does: with the bytes of the config JSON, an ETag that is the same on every
// host, and 304 for a client that has the content already. Only the redirect p.r of the preferences
// is set to 0, because it would make SDKs leave their base URL. The answer of each content is
// prepared once; a request only looks it up. Until there is a config, the answer is 503: an SDK
// takes 404 as final.
//
// Mount the gateway at the root of a host. SDKs differ in what they do with a path in a base URL,
// and some double its slash. [http.ServeMux] redirects such requests, which some SDKs do not
// follow, so the gateway must not be behind one.
//
// # Evaluation
//
// For clients without an SDK, and those that must not see rules, the gateway evaluates flags itself. The
// routes, requests and answers are those of ConfigCat Proxy:
//
//	POST /api/{name}/eval      {"key", "user"}   {"value", "variationId"}
//	POST /api/{name}/eval-all  {"user"}          an object with the same for each flag
//	GET  /api/{name}/keys                        {"keys"}
//	POST /api/{name}/refresh                     asks the leader to poll
//
//	GET  /sse/{name}/eval/{data}      the value of a flag and its changes, as server-sent events
//	GET  /sse/{name}/eval-all[/{data}] the same for all flags
//	GET  /sse/eval/k/{data}           with the SDK key in the data
//	GET  /sse/eval-all/k/{data}
//	POST /sse/{name}/eval             with the data as body
//	POST /sse/{name}/eval-all
//
// {data} is the body of an evaluation in base64. Streams of equal users share one evaluation. A stream
// has one place for what it sends next, so that a slow client delays nobody, and ends at a random age.
//
// Without {name} in the path, a header or a token selects the config. Evaluations use the content
// without flag overrides of the client, are not logged and call no hooks, because events contain
// attributes of users.
//
// OpenFeature's clients use OFREP 0.3.0:
//
//	POST /ofrep/v1/evaluate/flags/{key}  one flag
//	POST /ofrep/v1/evaluate/flags        all flags, and the URI of a stream
//	GET  /ofrep/v1/events                that stream: an event for each change
//
// docs/serve.md describes the requests and answers of both.
//
// # Credentials
//
// Official SDKs can send no token, so the key in the path is the credential. It is one of
//
//	{SDK key}                        the full SDK key
//	configcat-proxy/{name}.{token}   a name with one of its tokens
//	configcat-proxy/{name}           the name alone, from the same machine
//
// The name alone is accepted on a loopback address, if the Host of the request is an IP address,
// localhost or one of [Config.Hosts], on a Unix socket, from clients with a verified certificate,
// and everywhere with [Config.OpenNames]. Every other key is answered with 404, in the same time
// and with the same text. The gateway never logs keys and tokens.
//
// Evaluation accepts a [Token] with the right to it in a header, too, and an SDK key. Everybody else is
// answered with 401, whether the name exists or not.
//
// # Held requests
//
// An SDK that polls asks again and again for a config that rarely changes. With [Config.Hold] the
// gateway holds such a request until the config changes, and answers it then, or with 304 at the
// end of the time. An SDK with a poll interval of 1 s then receives a change within milliseconds,
// with one request per hold and interval. Only requests of SDKs that poll in the background are held,
// and only if they have the current content. See [Config.MaxStreams] for the limits.
//
// Requests of the SDKs for C++, Elixir and Unreal Engine are held for at most 3 s, because by
// default these SDKs give up after 5 s. Those of the SDK for Rust are not held, because it evaluates no
// flag while a request is pending.
package gateway
