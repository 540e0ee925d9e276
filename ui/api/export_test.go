package api

// DescribeAll is what GET /api/all/openapi answers.
func DescribeAll(version string) ([]byte, error) { return describeAPI(allPaths, version) }
