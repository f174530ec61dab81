using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using Godwit.Migrations.Yaml;

namespace Godwit.Migrations;

/// <summary>Finds the migrations of a product: YAML files, and classes in assemblies.</summary>
public static class MigrationLoader
{
    /// <summary>
    /// Loads migrations from a file (<c>.yaml</c>, <c>.yml</c> or <c>.dll</c>), or from all such files of a folder. Of an assembly it takes every public class
    /// that derives from <see cref="Migration"/> and can be made without arguments; an assembly in a folder that has none is left alone.
    /// </summary>
    /// <exception cref="DefinitionException">Something is wrong with definitions; all of it is told.</exception>
    /// <exception cref="FileNotFoundException">There is nothing of that name.</exception>
    public static MigrationSet Load(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var files = Directory.Exists(path)
            ? Directory.EnumerateFiles(path).Where(IsDefinition).Order(StringComparer.Ordinal).ToList()
            : File.Exists(path) ? [path] : throw new FileNotFoundException($"There is no file or folder {path} to load migrations from.", path);
        List<Migration> migrations = [];
        List<DefinitionProblem> problems = [];
        foreach (var file in files)
        {
            var (found, wrong) = Read(file);
            migrations.AddRange(found);
            problems.AddRange(wrong);
        }

        // What the files say together is told with what is wrong in each of them.
        problems.AddRange(migrations.SelectMany(m => m.Problems()).Concat(MigrationProblems.OfAll(migrations)));
        return problems.Count == 0 ? new MigrationSet(migrations) : throw new DefinitionException(problems.Distinct().ToList());
    }

    private static bool IsDefinition(string file) => Path.GetExtension(file) is ".yaml" or ".yml" or ".dll";

    private static (IReadOnlyList<Migration> Migrations, IReadOnlyList<DefinitionProblem> Problems) Read(string file)
    {
        try
        {
            if (Path.GetExtension(file) == ".dll")
            {
                return (FromAssembly(file), []);
            }

            var (migration, problems) = YamlReader.Read(Path.GetFileName(file), File.ReadAllText(file));
            return (migration is null ? [] : [migration], problems);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ReflectionTypeLoadException or TargetInvocationException or BadImageFormatException)
        {
            var reason = e is ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } ? first.Message : e.InnerException?.Message ?? e.Message;
            return ([], [new DefinitionProblem(Path.GetFileName(file), $"It cannot be loaded: {reason}")]);
        }
    }

    private static List<Migration> FromAssembly(string file) => !KnowsGodwit(file) ? [] : new ProductContext(Path.GetFullPath(file))
        .LoadFromAssemblyPath(Path.GetFullPath(file)).GetExportedTypes()
        .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsSubclassOf(typeof(Migration)) && t.GetConstructor(Type.EmptyTypes) is not null)
        .Select(t => (Migration)Activator.CreateInstance(t)!).ToList();

    // The libraries of a product lie beside its migrations: what cannot hold one is not even loaded.
    private static bool KnowsGodwit(string file)
    {
        using var stream = File.OpenRead(file);
        using var image = new PEReader(stream);
        if (!image.HasMetadata)
        {
            return false;
        }

        var metadata = image.GetMetadataReader();
        return metadata.AssemblyReferences.Any(r => metadata.GetString(metadata.GetAssemblyReference(r).Name) == typeof(Migration).Assembly.GetName().Name);
    }

    /// <summary>The product's own libraries come from its folder, Godwit is this one: the classes that both know are the same.</summary>
    private sealed class ProductContext(string file) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(file))
    {
        private readonly AssemblyDependencyResolver _resolver = new(file);

        protected override Assembly? Load(AssemblyName assemblyName) =>
            assemblyName.Name == typeof(Migration).Assembly.GetName().Name || _resolver.ResolveAssemblyToPath(assemblyName) is not { } path ? null : LoadFromAssemblyPath(path);
    }
}
