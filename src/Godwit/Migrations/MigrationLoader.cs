using System.Diagnostics.CodeAnalysis;
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
    /// Loads migrations from files (<c>.yaml</c>, <c>.yml</c> or <c>.dll</c>), and from all such files of folders. Of an assembly it takes every public class
    /// that derives from <see cref="Migration"/> and can be made without arguments; an assembly in a folder that has none is left alone.
    /// </summary>
    /// <exception cref="DefinitionException">Something is wrong with definitions; all of it is told.</exception>
    /// <exception cref="FileNotFoundException">There is nothing of that name.</exception>
    public static MigrationSet Load(params IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        return paths.FirstOrDefault(path => !Exists(path)) is { } missing ? throw new FileNotFoundException(Missing(missing), missing) : Load(paths, []);
    }

    /// <summary>Loads migrations from several places together, as a host that carries its own does.</summary>
    /// <param name="paths">Files and folders, see <see cref="Load(IReadOnlyList{string})"/>.</param>
    /// <param name="types">Classes that derive from <see cref="Migration"/>.</param>
    /// <param name="create">Makes an instance of a class, and may give services to its constructor; null for constructors without arguments.</param>
    /// <exception cref="DefinitionException">Something is wrong with definitions, or cannot be found; all of it is told.</exception>
    public static MigrationSet Load(IEnumerable<string> paths, IEnumerable<Type> types, Func<Type, object>? create = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(types);
        List<Migration> migrations = [];
        List<DefinitionProblem> problems = [];
        foreach (var (found, wrong) in paths.SelectMany(path => Files(path, problems)).Select(file => Read(file, create)).Concat(types.Select(type => Make(type, create))))
        {
            migrations.AddRange(found);
            problems.AddRange(wrong);
        }

        // What the files say together is told with what is wrong in each of them.
        problems.AddRange(migrations.SelectMany(m => m.Problems()).Concat(MigrationProblems.OfAll(migrations)));
        return problems.Count == 0 ? new MigrationSet(migrations) : throw new DefinitionException(problems.Distinct().ToList());
    }

    /// <summary>Whether a class is a migration that can be made, if what its constructor takes is there.</summary>
    public static bool IsMigration(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type is { IsClass: true, IsAbstract: false } && type.IsSubclassOf(typeof(Migration));
    }

    private static bool Exists(string path) => Directory.Exists(path) || File.Exists(path);

    private static string Missing(string path) => $"There is no file or folder {path} to load migrations from.";

    private static IEnumerable<string> Files(string path, List<DefinitionProblem> problems)
    {
        if (!Exists(path))
        {
            problems.Add(new DefinitionProblem(path, Missing(path)));
            return [];
        }

        return Directory.Exists(path) ? Directory.EnumerateFiles(path).Where(IsDefinition).Order(StringComparer.Ordinal) : [path];
    }

    private static bool IsDefinition(string file) => Path.GetExtension(file) is ".yaml" or ".yml" or ".dll";

    private static (IReadOnlyList<Migration> Migrations, IReadOnlyList<DefinitionProblem> Problems) Read(string file, Func<Type, object>? create)
    {
        try
        {
            if (Path.GetExtension(file) == ".dll")
            {
                var made = Types(file).Where(t => create is not null || t.GetConstructor(Type.EmptyTypes) is not null).Select(t => Make(t, create)).ToList();
                return ([.. made.SelectMany(m => m.Migrations)], [.. made.SelectMany(m => m.Problems)]);
            }

            var (migration, problems) = YamlReader.Read(Path.GetFileName(file), File.ReadAllText(file));
            return (migration is null ? [] : [migration], problems);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ReflectionTypeLoadException or BadImageFormatException)
        {
            var reason = e is ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } ? first.Message : e.Message;
            return ([], [new DefinitionProblem(Path.GetFileName(file), $"It cannot be loaded: {reason}")]);
        }
    }

    private static IEnumerable<Type> Types(string file) =>
        KnowsGodwit(file) ? new ProductContext(Path.GetFullPath(file)).LoadFromAssemblyPath(Path.GetFullPath(file)).GetExportedTypes().Where(IsMigration) : [];

    [SuppressMessage("Design", "CA1031", Justification = "A constructor is code of somebody else: whatever it throws, there is no such migration, and its author is told why.")]
    private static (IReadOnlyList<Migration> Migrations, IReadOnlyList<DefinitionProblem> Problems) Make(Type type, Func<Type, object>? create)
    {
        try
        {
            return ([(Migration)(create?.Invoke(type) ?? Activator.CreateInstance(type)!)], []);
        }
        catch (Exception e)
        {
            var cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            return ([], [new DefinitionProblem($"{type.FullName} ({type.Assembly.GetName().Name})", $"It cannot be made: {cause.Message}")]);
        }
    }

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
