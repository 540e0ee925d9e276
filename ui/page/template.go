package page

import (
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template/parse"
)

// Room is a part of the console with a package of its own: its pages, and the
// files beside them.
type Room struct {
	Files fs.FS  // templates, styles and scripts
	Pages []Page // one of each type
}

// RoomFiles are the files of all parts of the console. No two files have the
// same name.
type RoomFiles []fs.FS

// FilesOf returns the files of all parts of the console, including those of
// package page.
func FilesOf(rooms []Room) (RoomFiles, error) {
	script, err := fs.Sub(scripts, "script")
	if err != nil {
		return nil, err
	}
	all := RoomFiles{files, script}
	for _, room := range rooms {
		all = append(all, room.Files)
	}
	seen := make(map[string]bool)
	for _, name := range all.WithSuffix("") {
		if seen[name] {
			return nil, fmt.Errorf("two rooms have a file %s", name)
		}
		seen[name] = true
	}
	return all, nil
}

// Open implements fs.FS.
func (f RoomFiles) Open(name string) (fs.File, error) {
	for _, files := range f {
		if file, err := files.Open(name); err == nil {
			return file, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// WithSuffix returns the names of the files with a suffix.
func (f RoomFiles) WithSuffix(suffix string) (names []string) {
	for _, files := range f {
		found, _ := fs.Glob(files, "*"+suffix) // cannot fail: the pattern is valid
		names = append(names, found...)
	}
	return names
}

// Templates are the pages, parsed once, by the name of their file.
type Templates map[string]*template.Template

// entryBlocks are the blocks that Go code executes by name. All other blocks
// are called by a template.
var entryBlocks = []string{"layout", "frame", "picker", "palette", "document"}

// parseTemplates parses the file of each page, which defines "content",
// together with the blocks in files that belong to no page. It fails if a page
// has no file, or if a file or block is not used.
func parseTemplates(rooms []Room, files RoomFiles) (Templates, error) {
	pages := make(map[string]bool)
	for _, room := range rooms {
		for _, p := range room.Pages {
			pages[p.Template()+".html"] = true
		}
	}
	shared := template.New("")
	for _, name := range files.WithSuffix(".html") {
		if pages[name] {
			continue
		}
		if _, err := shared.ParseFS(files, name); err != nil {
			return nil, err
		}
	}
	used := make(map[string]bool)
	for _, entry := range entryBlocks {
		used[entry] = true
	}
	parsed := make(Templates)
	for _, file := range slices.Sorted(maps.Keys(pages)) {
		t, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if t, err = t.ParseFS(files, file); err != nil {
			return nil, err
		}
		if err := checkBlocks(t, file, used); err != nil {
			return nil, err
		}
		parsed[strings.TrimSuffix(file, path.Ext(file))] = t
	}
	for _, block := range shared.Templates() {
		if block.Tree != nil && !parse.IsEmptyTree(block.Tree.Root) && !used[block.Name()] {
			return nil, fmt.Errorf("%s: no page uses the block %s", block.Tree.ParseName, block.Name())
		}
	}
	return parsed, nil
}

// checkBlocks fails if a page calls blocks that do not exist, or if its file
// has blocks that it does not call. It adds the called ones to used.
func checkBlocks(t *template.Template, file string, used map[string]bool) error {
	reached := make(map[string]bool)
	var reach func(name string) error
	reach = func(name string) error {
		if reached[name] {
			return nil
		}
		reached[name] = true
		block := t.Lookup(name)
		if block == nil || block.Tree == nil {
			return fmt.Errorf("%s: there is no block %s", file, name)
		}
		for _, called := range calledBlocks(block.Tree.Root) {
			if err := reach(called); err != nil {
				return err
			}
		}
		return nil
	}
	for _, entry := range entryBlocks {
		if err := reach(entry); err != nil {
			return err
		}
	}
	for _, block := range t.Templates() {
		if block.Tree != nil && block.Tree.ParseName == file && block.Name() != file && !reached[block.Name()] {
			return fmt.Errorf("%s: the page does not use its block %s", file, block.Name())
		}
	}
	maps.Copy(used, reached)
	return nil
}

// calledBlocks returns the names of the blocks that a part of a template calls.
func calledBlocks(node parse.Node) (names []string) {
	branch := func(n *parse.BranchNode) {
		names = append(names, calledBlocks(n.List)...)
		if n.ElseList != nil {
			names = append(names, calledBlocks(n.ElseList)...)
		}
	}
	switch n := node.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			names = append(names, calledBlocks(child)...)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.TemplateNode:
		names = append(names, n.Name)
	}
	return names
}
