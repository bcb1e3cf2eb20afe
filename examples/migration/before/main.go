//go:build ignore

// Command before is the service before the migration: every process polls the CDN with the
// official ConfigCat SDK for Go. It is for reading and comparing only, because it needs the
// module github.com/configcat/go-sdk/v9, which this project does not require.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	configcat "github.com/configcat/go-sdk/v9"
)

func main() {
	client := configcat.NewCustomClient(configcat.Config{
		SDKKey:       os.Getenv("CATBRIDGE_SDK_KEY"),
		PollingMode:  configcat.AutoPoll,
		PollInterval: time.Minute,
	})
	defer client.Close()
	if err := client.Refresh(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "continuing with defaults:", err)
	}
	fmt.Println(greeting(client, "42", "jane@example.com"))
}

func greeting(client *configcat.Client, id, email string) string {
	user := &configcat.UserData{Identifier: id, Email: email}
	if client.GetBoolValue("newGreeting", false, user) {
		return client.GetStringValue("greeting", "Hello", user)
	}
	return "Hello"
}
