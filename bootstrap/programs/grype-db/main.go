// Command grype-db builds Grype's database with Grype's own builder: upstream has it as a command of
// another repository, which downloads. Usage: grype-db OUT PROVIDER…, each a workspace as vunnel
// leaves it. OUT gets the database, the archive that `grype db import` takes, and latest.json.
package main

import (
	"log"
	"os"
	"path/filepath"
	"time"

	_ "github.com/glebarez/sqlite"

	"github.com/anchore/grype/grype/db"
	"github.com/anchore/grype/grype/db/provider"
	v6 "github.com/anchore/grype/grype/db/v6"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: grype-db OUT PROVIDER…")
	}
	if err := build(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func build(out string, providers []string) error {
	var states provider.States
	for _, folder := range providers {
		state, err := provider.ReadState(filepath.Join(folder, "metadata.json"))
		if err != nil {
			return err
		}
		states = append(states, *state)
	}
	err := db.Build(db.BuildConfig{
		SchemaVersion: v6.ModelVersion,
		Directory:     out,
		States:        states,
		Timestamp:     time.Now(),
		Hydrate:       true,
	})
	if err != nil {
		return err
	}
	return db.Package(out, "", "tar.gz", nil)
}
