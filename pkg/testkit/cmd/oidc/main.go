// Command oidc runs an OpenID Connect issuer, which is also a GitHub of sorts, for the browser's tests: it prints its address
// and serves until it is told to stop. Whoever logs in there has their name for a password.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/oidctest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "oidc:", err)
		os.Exit(1)
	}
}

func run() error {
	people := flag.String("people", "olivia", "who has an account, as in olivia,oscar")
	back := flag.String("back", "", "where people come back to: the installation's address")
	flag.Parse()
	stop, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	listener, err := (&net.ListenConfig{}).Listen(stop, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	var persons []oidctest.Person
	for i, name := range strings.Split(*people, ",") {
		persons = append(persons, oidctest.Person{Subject: strconv.Itoa(1000 + i), Name: name, Email: name + "@example.com", Verified: true})
	}
	// By this name it is another site than the installation, which the tests reach by its number.
	s, err := oidctest.Serve(listener, "localhost", []string{
		*back + "/api/v1/auth/sso/oidc/callback", *back + "/api/v1/auth/sso/github/callback",
	}, persons...)
	if err != nil {
		return err //nolint:wrapcheck // it says what it was doing
	}
	defer s.Close()
	fmt.Println(s.URL)
	<-stop.Done()
	return nil
}
