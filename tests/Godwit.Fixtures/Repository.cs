namespace Godwit.Fixtures;

/// <summary>The files of the repository, of which some are promises that tests hold.</summary>
public static class Repository
{
    private static readonly string Folder = Find(AppContext.BaseDirectory);

    /// <summary>The full name of a file.</summary>
    public static string File(params string[] parts) => Path.Combine([Folder, .. parts]);

    private static string Find(string folder) => System.IO.File.Exists(Path.Combine(folder, "Godwit.slnx")) ? folder : Find(Path.GetDirectoryName(folder.TrimEnd('/'))!);
}
