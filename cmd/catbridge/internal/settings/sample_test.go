package settings

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const sample = "../../../../deploy/catbridge.yaml"

func readSample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var sampleEnvironment = []string{
	"SHOP_SDK_KEY=configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111",
}

func TestTheSampleFileIsValid(t *testing.T) {
	s, err := Load(Options{Part: Leader, Variables: Leader, File: true, Environ: append([]string{"CATBRIDGE_CONFIG=" + sample}, sampleEnvironment...)})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.SDKKeys) != 1 || s.SDKKeys[0].Label() != "shop" || s.RedisOptions.Address() != "localhost:6379" || len(s.Warnings) > 0 {
		t.Errorf("%+v", s)
	}
}

// TestTheSampleFileShowsTheDefaults compares the sample with the settings of a leader
// without it.
func TestTheSampleFileShowsTheDefaults(t *testing.T) {
	with, err := Load(Options{Part: Leader, Variables: Leader, File: true, Environ: append([]string{"CATBRIDGE_CONFIG=" + sample}, sampleEnvironment...)})
	if err != nil {
		t.Fatal(err)
	}
	without := defaults()
	without.complete()
	without.Redis.Addresses = with.Redis.Addresses
	for i, set := range without.table(&more{}) {
		if have := with.table(&more{})[i]; strings.Join(have.value.texts(), " ") != strings.Join(set.value.texts(), " ") {
			t.Errorf("%s: the sample says %q, the default is %q", set.path, have.value.texts(), set.value.texts())
		}
	}
}

// TestTheSampleFileHasEverySetting uncomments all settings, and checks for unknown and
// missing names.
func TestTheSampleFileHasEverySetting(t *testing.T) {
	comment := regexp.MustCompile(`(?m)^( *)# ((?:  )?[a-z_]+:(?: \S.*)?)$`)
	text := comment.ReplaceAllString(readSample(t), "$1$2")
	d := parse(sample, []byte(text))
	for _, fault := range d.faults {
		t.Error(fault)
	}
	also := map[string]bool{ // alternatives of which one is in the sample
		pathKeyFile: true, "redis.password": true, "redis.password_env": true,
		"redis.sentinel_password": true, "redis.sentinel_password_env": true,
	}
	var s Settings
	for _, set := range s.table(&more{}) {
		if d.values[set.path] == nil && !(also[set.path] && strings.Contains(text, set.path[strings.LastIndexByte(set.path, '.')+1:])) {
			t.Errorf("%s is missing", set.path)
		}
	}
	if len(d.keys) != 1 {
		t.Fatalf("%d SDK keys", len(d.keys))
	}
	for _, set := range d.keys[0].table() {
		if d.keys[0].origin[set.path] == "" && set.path != "key" && set.path != "key_file" {
			t.Errorf("sdk_keys[0].%s is missing", set.path)
		}
	}
}
