// Package openfeature is an OpenFeature provider on a [follower.Client]:
//
//	provider := openfeature.NewProvider(client)
//	if err := of.SetProviderAndWait(provider); err != nil { ... }
//	flags := of.NewDefaultClient()
//	on, err := flags.BooleanValue(ctx, "newCheckout", false, of.NewEvaluationContext("42", map[string]any{"Email": "jane@example.com"}))
//
// # Evaluation context
//
// The targeting key is the user's Identifier. All other attributes are the user's by their
// own names, among them Email and Country, for which email and country, as in ConfigCat's own
// provider, count where these are not set; an attribute Identifier counts where there is no
// targeting key. An empty context is no user: the client's default user applies (S11).
//
// # Results
//
// The variant is the variation ID. The metadata holds "fetchTime", when the CDN last
// confirmed the config, in RFC 3339.
//
//	reason           TARGETING_MATCH      a targeting rule served the value
//	                 SPLIT                a percentage option did, of a rule or not
//	                 STATIC               the setting has neither rules nor options
//	                 DEFAULT              none of its rules and options matched: its own value
//	                 ERROR                the default given in the code
//	error code       PROVIDER_NOT_READY   there is no config (1000)
//	                 FLAG_NOT_FOUND       no such key (1001)
//	                 TYPE_MISMATCH        the setting is of another type (2)
//	                 PARSE_ERROR          the config is broken there (1)
//	                 GENERAL              anything else
//
// Objects are text settings that hold JSON; one that holds anything else is a
// TYPE_MISMATCH. A whole-number setting that is read as a float is converted; a decimal one
// is not an integer.
//
// # Events and states
//
// Initialization waits for [follower.Client.WaitForReady]. If there is still no config
// the provider's state is ERROR, and READY as soon as there is one. It is STALE as long as
// the config was not confirmed by the CDN lately, [follower.HasCachedFlagDataOnly];
// evaluation goes on as before. States are looked at once a second, and with each new config.
// PROVIDER_CONFIGURATION_CHANGED follows each newer content and lists the flags that were
// added, changed or removed since the last such event, and those that depend on them.
package openfeature
