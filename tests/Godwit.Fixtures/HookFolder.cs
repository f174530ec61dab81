namespace Godwit.Fixtures;

/// <summary>A folder with commands that hooks may call.</summary>
public sealed class HookFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("godwit-hooks-");

    /// <summary>Where it is.</summary>
    public string Path => _folder.FullName;

    /// <summary>A file of it.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes a command of a shell's script.</summary>
    public void Command(string name, string script)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException("A script needs a shell of Unix.");
        }

        System.IO.File.WriteAllText(File(name), $"#!/bin/sh\n{script}\n");
        System.IO.File.SetUnixFileMode(File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
