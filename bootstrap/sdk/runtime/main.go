// A small runtime of the Python SDK, for engines built from package registries: upstream's own
// is part of the official engine image and of no registry.
//
// Of upstream's it honours `[tool.dagger] base-image`, `requirements.lock` and the `dagger.mod`
// entry point. It vendors nothing: dagger-io comes from the lock file, or else from PyPI.
package main

import (
	"context"
	"fmt"
	"path"
	"slices"

	"python-sdk/internal/dagger"

	"github.com/BurntSushi/toml"
	"github.com/iancoleman/strcase"
)

const (
	defaultImage = "python:3.13-slim"
	daggerIO     = "dagger-io==0.19.10"
	sourceDir    = "/src"
	venvDir      = "/opt/venv"
	lockFile     = "requirements.lock"
	entrypoint   = "import sys; from dagger.mod.cli import app; sys.exit(app())"
)

// PythonSdk turns a Python module's source into the container that serves its functions.
type PythonSdk struct{}

// New takes the SDK's own source, as the engine hands it over, and has no use for it.
func New(
	// +optional
	sdkSourceDir *dagger.Directory,
) *PythonSdk {
	return &PythonSdk{}
}

// Codegen hands the source back as it is: there is nothing to generate.
func (m *PythonSdk) Codegen(
	modSource *dagger.ModuleSource,
	introspectionJSON *dagger.File,
) *dagger.GeneratedCode {
	return dag.GeneratedCode(modSource.ContextDirectory())
}

// ModuleRuntime installs the module into a virtual environment: first what the lock file names,
// in a layer of its own, then the module itself.
func (m *PythonSdk) ModuleRuntime(
	ctx context.Context,
	modSource *dagger.ModuleSource,
	introspectionJSON *dagger.File,
) (*dagger.Container, error) {
	name, err := modSource.ModuleOriginalName(ctx)
	if err != nil {
		return nil, err
	}
	subpath, err := modSource.SourceSubpath(ctx)
	if err != nil {
		return nil, err
	}
	source := modSource.ContextDirectory().Directory(subpath)
	files, err := source.Entries(ctx)
	if err != nil {
		return nil, err
	}
	image, err := baseImage(ctx, source, files)
	if err != nil {
		return nil, err
	}

	dependencies := dag.Container().
		From(image).
		WithMountedCache("/root/.cache/pip", dag.CacheVolume("modpython-pip")).
		WithEnvVariable("PIP_DISABLE_PIP_VERSION_CHECK", "1").
		WithEnvVariable("PIP_ROOT_USER_ACTION", "ignore").
		WithEnvVariable("PYTHONUNBUFFERED", "1").
		WithExec([]string{"python", "-m", "venv", venvDir}).
		WithEnvVariable("VIRTUAL_ENV", venvDir).
		WithEnvVariable("PATH", venvDir+"/bin:$PATH", dagger.ContainerWithEnvVariableOpts{Expand: true})
	if slices.Contains(files, lockFile) {
		dependencies = dependencies.
			WithMountedFile("/"+lockFile, source.File(lockFile)).
			WithExec([]string{"pip", "install", "--quiet", "--requirement", "/" + lockFile}).
			WithoutMount("/" + lockFile)
	} else {
		dependencies = dependencies.WithExec([]string{"pip", "install", "--quiet", daggerIO})
	}

	// An editable install only points at the source: it is redone when the project's outline
	// changes, and not for each line of code.
	outline := dag.Directory().WithDirectory(subpath, source, dagger.DirectoryWithDirectoryOpts{
		Include: []string{"pyproject.toml", "setup.*", "README*", "LICENSE*", "**/__init__.py"},
	})
	code := "."
	if slices.Contains(files, "src/") {
		code = "src"
	}
	return dependencies.
		WithWorkdir(path.Join(sourceDir, subpath)).
		WithMountedDirectory(sourceDir, outline).
		WithExec([]string{"pip", "install", "--quiet", "--editable", "."}).
		WithMountedDirectory(sourceDir, modSource.ContextDirectory()).
		// Once, and not at each start: here, the sources stay as they are. What doesn't compile is
		// told when it is imported.
		WithExec(
			[]string{"python", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", code},
			dagger.ContainerWithExecOpts{Expect: dagger.ReturnTypeAny},
		).
		WithEnvVariable("DAGGER_MODULE", name).
		WithEnvVariable("DAGGER_DEFAULT_PYTHON_PACKAGE", strcase.ToSnake(name)).
		WithEnvVariable("DAGGER_MAIN_OBJECT", strcase.ToCamel(name)).
		WithEntrypoint([]string{venvDir + "/bin/python", "-c", entrypoint}), nil
}

// baseImage reads `[tool.dagger] base-image` from pyproject.toml.
func baseImage(ctx context.Context, source *dagger.Directory, files []string) (string, error) {
	if !slices.Contains(files, "pyproject.toml") {
		return "", fmt.Errorf("pyproject.toml is missing: a Python module needs one, with a build backend")
	}
	text, err := source.File("pyproject.toml").Contents(ctx)
	if err != nil {
		return "", err
	}
	var project struct {
		Tool struct {
			Dagger struct {
				BaseImage string `toml:"base-image"`
			}
		}
	}
	if _, err := toml.Decode(text, &project); err != nil {
		return "", fmt.Errorf("pyproject.toml: %w", err)
	}
	if project.Tool.Dagger.BaseImage == "" {
		return defaultImage, nil
	}
	return project.Tool.Dagger.BaseImage, nil
}
