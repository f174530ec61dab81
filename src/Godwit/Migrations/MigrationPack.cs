namespace Godwit.Migrations;

/// <summary>Ready-made migrations, found by name: a pack is an assembly <c>Godwit.Pack.NAME</c> beside the program.</summary>
public static class MigrationPack
{
    private const string Prefix = "Godwit.Pack.";

    /// <summary>The names of the packs that there are.</summary>
    public static IReadOnlyList<string> Names => Files().Select(NameOf).Order(StringComparer.Ordinal).ToList();

    /// <summary>The assembly of a pack, for <see cref="MigrationLoader"/>.</summary>
    /// <param name="name">Its name; upper and lower case are the same.</param>
    /// <exception cref="FileNotFoundException">There is no such pack; the message lists those that there are.</exception>
    public static string Find(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Files().FirstOrDefault(file => string.Equals(NameOf(file), name, StringComparison.OrdinalIgnoreCase))
            ?? throw new FileNotFoundException($"There is no pack {name}; {(Names.Count == 0 ? $"there are none in {AppContext.BaseDirectory}" : $"there is {string.Join(", ", Names)}")}.");
    }

    private static string[] Files() => Directory.GetFiles(AppContext.BaseDirectory, $"{Prefix}*.dll");

    private static string NameOf(string file) => Path.GetFileNameWithoutExtension(file)[Prefix.Length..].ToLowerInvariant();
}
