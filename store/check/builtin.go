package check

import (
	"embed"
	"io/fs"
)

//go:embed catalogue
var builtin embed.FS

// BuiltinPath is what people are told as the directory of Builtin.
const BuiltinPath = "built in"

// Builtin returns the check files that are part of the program. Their ids begin
// with 7A. Each was written for it from the public documentation that the file
// names.
func Builtin() []File {
	var files []File
	err := fs.WalkDir(builtin, "catalogue", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := builtin.ReadFile(path)
		files = append(files, File{Path: BuiltinPath + "/" + entry.Name(), Name: entry.Name(), Content: content})
		return err
	})
	if err != nil {
		panic("check: the files of the program cannot be read: " + err.Error()) // they are part of it
	}
	return files
}
