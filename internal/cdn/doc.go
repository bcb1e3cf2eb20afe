// Package cdn fetches config JSON from the ConfigCat CDN.
package cdn
