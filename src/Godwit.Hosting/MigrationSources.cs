using System.Reflection;
using Godwit.Migrations;

namespace Godwit.Hosting;

/// <summary>
/// Where a host finds its migrations. Each is made once, when the host starts; its constructor is given services of the host. It lives as long as the
/// host, so it must not take scoped services: take <c>IServiceScopeFactory</c>, or a factory such as <c>IDbContextFactory</c>.
/// </summary>
/// <example><code>
/// godwit.Migrations.AddAssembly(typeof(Program).Assembly).AddPath("migrations");
/// </code></example>
public sealed class MigrationSources
{
    private readonly List<string> _paths = [];
    private readonly List<Type> _types = [];

    /// <summary>Adds every public class of an assembly that derives from <see cref="Migration"/>.</summary>
    public MigrationSources AddAssembly(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        _types.AddRange(assembly.GetExportedTypes().Where(MigrationLoader.IsMigration));
        return this;
    }

    /// <summary>Adds a class, public or not.</summary>
    public MigrationSources Add<TMigration>()
        where TMigration : Migration
    {
        _types.Add(typeof(TMigration));
        return this;
    }

    /// <summary>Adds a file (<c>.yaml</c>, <c>.yml</c> or <c>.dll</c>), or all such files of a folder. A relative path starts at the content root of the host.</summary>
    public MigrationSources AddPath(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        _paths.Add(path);
        return this;
    }

    /// <summary>Adds ready-made migrations by the name of their pack, such as <c>posthog</c>; its assembly lies beside the program.</summary>
    /// <exception cref="FileNotFoundException">There is no such pack; the message lists those that there are.</exception>
    public MigrationSources AddPack(string name)
    {
        _paths.Add(MigrationPack.Find(name));
        return this;
    }

    /// <summary>Loads all of them.</summary>
    /// <exception cref="DefinitionException">Something is wrong with definitions; all of it is told.</exception>
    internal MigrationSet Load(string root, Func<Type, object> create) =>
        MigrationLoader.Load(_paths.Select(path => Path.GetFullPath(path, root)), _types.Distinct(), create);
}
