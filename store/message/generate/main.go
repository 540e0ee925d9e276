// Command generate makes the Go code of the messages, package wire, of the
// .proto files of package message. Other than protoc it needs nothing but Go:
//
//	go generate ./store/message
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// wireDirectory is the directory of the generated package, in the directory of
// the .proto files, in which the command is run. wirePackage is the import path
// of the package.
const (
	wireDirectory = "wire"
	wirePackage   = "trento/store/message/wire"
)

func main() {
	if err := writeCode("."); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// writeCode writes the code that is generated from the .proto files of a directory.
func writeCode(dir string) error {
	code, err := generate(context.Background(), dir)
	if err != nil {
		return err
	}
	for name, text := range code {
		if err := os.WriteFile(filepath.Join(dir, wireDirectory, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the code of the .proto files of a directory, by file name.
func generate(ctx context.Context, dir string) (map[string][]byte, error) {
	request, err := newGeneratorRequest(ctx, dir)
	if err != nil {
		return nil, err
	}
	input, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	var output, faults bytes.Buffer
	tool := exec.CommandContext(ctx, "go", "tool", "protoc-gen-go")
	tool.Stdin, tool.Stdout, tool.Stderr = bytes.NewReader(input), &output, &faults
	if err := tool.Run(); err != nil {
		return nil, fmt.Errorf("go tool protoc-gen-go: %w: %s", err, faults.Bytes())
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(output.Bytes(), &response); err != nil {
		return nil, fmt.Errorf("answer of protoc-gen-go: %w", err)
	}
	if response.Error != nil {
		return nil, fmt.Errorf("protoc-gen-go: %s", response.GetError())
	}
	code := make(map[string][]byte)
	for _, file := range response.File {
		code[file.GetName()] = []byte(file.GetContent())
	}
	return code, nil
}

// newGeneratorRequest returns the request that makes protoc-gen-go generate the code of the
// .proto files of a directory.
func newGeneratorRequest(ctx context.Context, dir string) (*pluginpb.CodeGeneratorRequest, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.proto"))
	if err != nil {
		return nil, err
	}
	parameter := "paths=source_relative"
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = filepath.Base(path)
		parameter += fmt.Sprintf(",M%s=%s", names[i], wirePackage)
	}
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{dir}}),
		SourceInfoMode: protocompile.SourceInfoStandard, // comments go into the code
	}
	files, err := compiler.Compile(ctx, names...)
	if err != nil {
		return nil, err
	}
	return &pluginpb.CodeGeneratorRequest{FileToGenerate: names, Parameter: &parameter, ProtoFile: withImports(files)}, nil
}

// withImports returns the descriptors of files and of all that they import,
// each after the files that it imports.
func withImports(files linker.Files) []*descriptorpb.FileDescriptorProto {
	var ordered []*descriptorpb.FileDescriptorProto
	seen := make(map[string]bool)
	var add func(file protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] {
			return
		}
		seen[file.Path()] = true
		for i := range file.Imports().Len() {
			add(file.Imports().Get(i).FileDescriptor)
		}
		ordered = append(ordered, protoutil.ProtoFromFileDescriptor(file))
	}
	for _, file := range files {
		add(file)
	}
	return ordered
}
