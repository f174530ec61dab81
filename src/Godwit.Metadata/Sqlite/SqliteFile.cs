namespace Godwit.Metadata.Sqlite;

/// <summary>Makes a state file, or says in a sentence why there is none to open.</summary>
internal static class SqliteFile
{
    /// <summary>
    /// Makes sure that there is a file to open. One that exists is never opened here: closing it would let go of the locks
    /// that this process's other connections hold on it (POSIX).
    /// </summary>
    public static void Ensure(string path, bool create)
    {
        if (Directory.Exists(path))
        {
            throw new StoreException($"{path} is a folder, not a state file. Name a file with --state.");
        }

        if (!File.Exists(path))
        {
            if (!create)
            {
                throw new StoreException($"There is no state file at {path}. Say which file with --state or start a run first.");
            }

            Create(path);
        }
        else if ((File.GetAttributes(path) & FileAttributes.ReadOnly) != 0)
        {
            throw new StoreException(SqliteFailures.ReadOnlyFile(path));
        }
    }

    private static void Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        try
        {
            CreateFolder(Path.GetDirectoryName(path)!);
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            new FileStream(path, options).Dispose();
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process made it in between: it is there, which is all that was wanted.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(
                $"The state file {path} cannot be made: {e.Message.TrimEnd('.')}. Name a file in a folder that this user may write to with --state.",
                e);
        }
    }

    /// <summary>
    /// Plans name tables and servers: they are their user's business alone. The framework would give this mode to the last
    /// folder only.
    /// </summary>
    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            return;
        }

        if (Path.GetDirectoryName(folder) is { } parent)
        {
            CreateFolder(parent);
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
