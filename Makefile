# The checks themselves are in .ci/test; this file only saves typing.

.PHONY: build check run demo

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o trento-web .

check:
	bash .ci/test

run:
	go run .

demo:
	go run . demo
