// Package oas is generated from openapi.yaml: the API's types and the server interface that package api implements,
// so that an operation of the contract without an implementation does not compile.
package oas

//go:generate go tool oapi-codegen --config config.yaml ../../openapi.yaml
