package openfeature

import (
	"context"
	"encoding/json"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/catbridge/catbridge/follower"
)

// Name is the provider's name in OpenFeature's metadata and events.
const Name = "catbridge"

// Provider is an OpenFeature provider. All methods are safe for concurrent use.
type Provider struct {
	client *follower.Client
	watch  watch
}

var (
	_ of.FeatureProvider          = (*Provider)(nil)
	_ of.ContextAwareStateHandler = (*Provider)(nil)
	_ of.EventHandler             = (*Provider)(nil)
)

// NewProvider returns a provider that evaluates with client. The caller closes the client after
// the shutdown of OpenFeature.
func NewProvider(client *follower.Client) *Provider {
	return &Provider{client: client, watch: watch{client: client, events: make(chan of.Event)}}
}

// Metadata implements [of.FeatureProvider].
func (p *Provider) Metadata() of.Metadata { return of.Metadata{Name: Name} }

// Hooks implements [of.FeatureProvider]. It returns nil.
func (p *Provider) Hooks() []of.Hook { return nil }

// BooleanEvaluation implements [of.FeatureProvider].
func (p *Provider) BooleanEvaluation(_ context.Context, flag string, def bool, attributes of.FlattenedContext) of.BoolResolutionDetail {
	d := p.client.GetBoolValueDetails(flag, def, userOf(attributes))
	return of.BoolResolutionDetail{Value: d.Value, ProviderResolutionDetail: resolutionOf(&d.Data)}
}

// StringEvaluation implements [of.FeatureProvider].
func (p *Provider) StringEvaluation(_ context.Context, flag, def string, attributes of.FlattenedContext) of.StringResolutionDetail {
	d := p.client.GetStringValueDetails(flag, def, userOf(attributes))
	return of.StringResolutionDetail{Value: d.Value, ProviderResolutionDetail: resolutionOf(&d.Data)}
}

// FloatEvaluation implements [of.FeatureProvider]. It converts a whole-number setting.
func (p *Provider) FloatEvaluation(_ context.Context, flag string, def float64, attributes of.FlattenedContext) of.FloatResolutionDetail {
	d := p.client.GetNumberValueDetails(flag, def, userOf(attributes))
	return of.FloatResolutionDetail{Value: d.Value, ProviderResolutionDetail: resolutionOf(&d.Data)}
}

// IntEvaluation implements [of.FeatureProvider].
func (p *Provider) IntEvaluation(_ context.Context, flag string, def int64, attributes of.FlattenedContext) of.IntResolutionDetail {
	d := p.client.GetIntValueDetails(flag, int(def), userOf(attributes))
	value := int64(d.Value)
	if d.Data.IsDefaultValue {
		value = def // it may not fit in an int
	}
	return of.IntResolutionDetail{Value: value, ProviderResolutionDetail: resolutionOf(&d.Data)}
}

// ObjectEvaluation implements [of.FeatureProvider]. It decodes the JSON of a string setting as
// encoding/json decodes it into an any.
func (p *Provider) ObjectEvaluation(_ context.Context, flag string, def any, attributes of.FlattenedContext) of.InterfaceResolutionDetail {
	d := p.client.GetStringValueDetails(flag, "", userOf(attributes))
	resolution := resolutionOf(&d.Data)
	if d.Data.IsDefaultValue {
		return of.InterfaceResolutionDetail{Value: def, ProviderResolutionDetail: resolution}
	}
	var value any
	if err := json.Unmarshal([]byte(d.Value), &value); err != nil {
		resolution.Reason = of.ErrorReason
		resolution.Variant = ""
		resolution.ResolutionError = of.NewTypeMismatchResolutionError("the setting's value is not valid JSON: " + err.Error())
		value = def
	}
	return of.InterfaceResolutionDetail{Value: value, ProviderResolutionDetail: resolution}
}
