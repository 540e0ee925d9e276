// Package wire is the Go code of the messages to and from agents, generated of
// the .proto files of package message with go generate ./store/message.
package wire
