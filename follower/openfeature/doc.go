// Package openfeature implements an OpenFeature provider with a [follower.Client]:
//
//	provider := openfeature.NewProvider(client)
//	if err := of.SetProviderAndWait(provider); err != nil { ... }
//	flags := of.NewDefaultClient()
//	on, err := flags.BooleanValue(ctx, "newCheckout", false, of.NewEvaluationContext("42", map[string]any{"Email": "jane@example.com"}))
//
// # Evaluation context
//
// The targeting key becomes the user's Identifier. All other attributes keep their names. If
// Email or Country is not set, the attribute email or country is used instead, as in ConfigCat's
// own provider. If there is no targeting key, the attribute Identifier is used. With an empty
// context the client's default user applies (S11).
//
// # Results
//
// The variant is the variation ID. The metadata contains "fetchTime", the time at which the CDN
// last confirmed the config, in RFC 3339.
//
//	reason           TARGETING_MATCH      the value comes from a targeting rule
//	                 SPLIT                the value comes from a percentage option
//	                 STATIC               the setting has neither rules nor options
//	                 DEFAULT              no rule or option matched: the setting's own value
//	                 ERROR                the default of the caller
//	error code       PROVIDER_NOT_READY   no config is loaded (1000)
//	                 FLAG_NOT_FOUND       the key is not in the config (1001)
//	                 TYPE_MISMATCH        the setting has another type (2)
//	                 PARSE_ERROR          the setting is invalid in the config (1)
//	                 GENERAL              any other error
//
// Objects are string settings whose value is JSON; any other value is a TYPE_MISMATCH. A float
// evaluation converts a whole-number setting; an integer evaluation does not convert a decimal
// one.
//
// # Events and states
//
// The initialization waits for [follower.Client.WaitForReady]. If there is still no config,
// the provider's state is ERROR, and READY as soon as there is one. The state is STALE while
// the CDN has not confirmed the config recently, see [follower.HasCachedFlagDataOnly];
// evaluations work as before. The provider checks the state once a second and with each new
// config. PROVIDER_CONFIGURATION_CHANGED follows each change of the content. It lists the
// flags that were added, changed or removed since the last event of this type, and the flags
// that depend on them.
package openfeature
