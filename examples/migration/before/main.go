//go:build ignore

// Command before is the service before the migration: every process polls the CDN with the
// official ConfigCat SDK for Go. It is for reading and comparing only, because it needs the
// module github.com/configcat/go-sdk/v9, which this project does not require.
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	configcat "github.com/configcat/go-sdk/v9"
)

func main() {
	client := newClient(printer{log.Default()})
	defer client.Close()
	select {
	case <-client.Ready():
	case <-time.After(10 * time.Second):
		log.Print("continuing with defaults")
	}
	fmt.Println(greeting(client, "42", "jane@example.com"))
}

func newClient(logger configcat.Logger) *configcat.Client {
	return configcat.NewCustomClient(configcat.Config{
		SDKKey:       os.Getenv("CONFIGCAT_SDK_KEY"),
		PollingMode:  configcat.AutoPoll,
		PollInterval: time.Minute,
		Cache:        fileCache(os.Getenv("FLAGS_FOLDER")),
		Logger:       logger,
		DefaultUser:  &configcat.UserData{Identifier: "shop"},
		Hooks: &configcat.Hooks{
			OnConfigChanged: func() { log.Print("the flags have changed") },
			OnFlagEvaluated: func(details *configcat.EvaluationDetails) { served.Add(details.Data.Key, 1) },
			OnError:         func(err error) { failed.Add(1) },
		},
	})
}

func greeting(client *configcat.Client, id, email string) string {
	user := &configcat.UserData{Identifier: id, Email: email}
	if client.GetBoolValue("newCheckout", false, user) {
		return client.GetStringValue("bannerText", "Hello", user)
	}
	return "Hello"
}
