using Godwit.Engine;

// The library is a program too: the child process around ClickHouse.
return EngineHost.Run(args);
